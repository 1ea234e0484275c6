"""The console: pages inside Airflow's API server (docs/console.ja.md). No Airflow in here, and no link by its name.

    facts       what the pages are given: who asks, what Airflow and the store know, what can be done (protocols)
    screens/    what a screen says: pure functions of facts, no HTML
    console/    routes for people with an Airflow login; app builds them, guard says who may, page renders
    pages/      Jinja2 templates; every one extends base.html
    static/     console.css, console.js, icons, htmx (vendored)

A new page is a screen (`screens/<name>.py`), a template, and a route in `console/<name>.py` whose router `app.ROUTERS`
lists. The route takes exactly one guard as an argument (`access: guard.EditsDag`) and gives
back `page(request, "<name>.html", …)`. A company's pages lie below `/dag/{dag_id}/`. What would put a person's name
into an address (`?q=`) is a POST: `guard.posts_edits_dag`, with `{{ token() }}` in the form. Templates hold no `style=`, no
`on…=` and no script: the CSP would not run them. Times are shown by the filter `jp`.
"""
