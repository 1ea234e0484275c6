"""A link as small as one can be: a YAML sheet, two tasks every few minutes, no baseline.

It copies a greeting into its run's record.
"""

from renkei.orchestration.link import Link, Part

TOY = Link(
    name="toy",
    source="名簿",
    target="掲示板",
    sheets=Part("tests.toy_link.sheet:SHEETS"),
    form=Part("tests.toy_link.dag:FORM"),
    work=Part("tests.toy_link.dag:work"),
    page=Part("tests.toy_link.dag:page"),
    report=Part("tests.toy_link.tasks:report"),
    subjects=Part("tests.toy_link.tasks:SUBJECTS"),
    try_systems=Part("tests.toy_link.tasks:try_systems"),
    timetable=Part("tests.toy_link.dag:timetable"),
    public=Part("tests.toy_link.public:routes"),
    has_baseline=False,
)
