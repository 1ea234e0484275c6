"""A SmartHR (HR API v1) that runs on this machine: one process, several invented companies, faults on demand.

    python -m simulators.smarthr --port 8001 --company acme:1:300 --company beta:2:11357

prints `READY http://127.0.0.1:8001` when it accepts requests. The bearer token chooses the company; company NAME has
the token shr_sim_NAME. Whatever SmartHR leaves undocumented is a switch of the company (`company.Switches`).

API: GET /api/v1/crews, departments, biz_establishments, companies, employment_types, job_titles, grades,
job_categories, recruitment_types, payment_periods, crew_custom_field_templates, crew_custom_field_template_groups,
users, users/me. Reading only.

OAuth of a registered app: GET /oauth/authorization, POST /oauth/token, /oauth/revoke; SmartHR Plus is /apps/emc. In every
company NAME admin@NAME may allow it and member@NAME may not; their password is smarthr.

Control, without authentication, JSON in and out:

    POST   /_sim/companies {name, seed, size, token, missing_codes, missing_codes_retired, switches}
           creates or replaces a company. switches: per_page_over clamp|reject, per_page_most (100),
           unknown_name ignore|reject, slots trimmed|padded, no_slots empty|null, hidden_fields [names],
           hidden_as omitted|null, hidden_crews [ids],
           hosts [names at which this company alone answers], forbidden [resources, as "departments"], timestamps +09:00|Z,
           expanded [records written in place of their ids: biz_establishment (of crews), company, group, crew, owner,
           soc_ins_owner, lab_ins_owner; `embed=` asks the same of one request for a list of masters or users]
    GET    /_sim/companies                     PATCH /_sim/companies/NAME {switches}     DELETE /_sim/companies/NAME
    GET    /_sim/companies/NAME/crews          the true state, unpaged; filters and fields= as in the API
    POST   /_sim/companies/NAME/crews {...}    adds an invented crew with these values; returns its id
    PATCH  /_sim/companies/NAME/crews/ID {...} sets any wire field; also department_ids and position_ids (slots, null
           allowed), employment_type_id, grade_id, job_category_id, recruitment_type_id, custom_values {name: value}
    DELETE /_sim/companies/NAME/crews/ID
    GET, POST, PATCH, DELETE the same for /departments {name, code, parent_id, position}; a deleted department takes
           those below it along and leaves null in its members' slots
    POST   /_sim/companies/NAME/day {joiners, leavers, retirements, moves, renumbered, reorganised, lost_codes,
           blank_names}: numbers; plays one day and returns the crew ids touched per kind
           (leavers vanish, retirements get emp_status retired; reorganised renames and re-parents departments by
           turns, adds one each time, and lists the crews below the changed ones)
    POST   /_sim/faults [{kind, path, page, company, times, after, ...}]     GET, DELETE /_sim/faults
    GET    /_sim/requests                      counters per company and path; DELETE resets
    POST   /_sim/limits {per_second, per_hour} GET /_sim/limits
    GET    /_sim/oauth                         switches, who started, what the token's address was asked, grants; PATCH
           {client_id, client_secret, redirect_uris, expires_in (null: never), refresh rotating|kept|none, pkce
           accepted|required|ignored, scope, needs_plus}; DELETE: as at the start
    POST   /_sim/oauth/expire                  every access token has ended; /_sim/oauth/revoke: every grant is revoked

A fault hits requests whose path contains `path` (and of that `page` and `company`, if given), lets `after` of them
pass, then strikes `times` times (null: always). Kinds, with their own settings:

    slow (seconds)  status_429 (seconds: the reset it states)  status_500  maintenance_503 (HTML)
    maintenance_json (503, code 9)  not_json (200, HTML)
    truncated  drop_connection  expired_token (401)  forbidden (403, 3)  ip_not_permitted (403, 15)
    lost_answer     POST /oauth/token alone: it is done, and the connection closed; there `slow` is done before it waits
    repeated_page   the rows of the page before
    shifted_page    as if a row before this page had been deleted: its first row is missed; on one page only the
                    last row comes twice, on this and all later pages (after) the read stays one short
    resorted_page   cut from the list in reverse order
    short_total, wrong_total (delta, default -1 and 7)   x-total-count off by delta
    empty           200, no rows, total 0
    null_crew       the page's first crew has only its id      missing_id   the first crew has no id
    hidden_attribute (field, hidden_as omitted|null)           on every crew
    change_while_reading (delete, insert, changes)   before this answer, deletes the first crews of the list and
                    inserts crews in front of it; then `changes` {crew id: null to delete it, or wire fields to set,
                    adding a crew with them if there is none of that id}; once, unless `times` says otherwise
"""
