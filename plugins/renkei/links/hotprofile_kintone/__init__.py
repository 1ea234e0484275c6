"""Hot Profile to kintone (text 5): what is created or updated there is written here, nothing is ever deleted."""

LINK = "hotprofile_kintone"  # as its Dags, its folder of sheets and its tables are called
