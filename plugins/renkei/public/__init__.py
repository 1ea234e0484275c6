"""What the internet may reach, apart from Airflow (docs/decisions/0018): `renkei serve`.

    app         one ASGI app of the links' routes; its headers, its answers to what goes wrong
    limits      how often, by address and by tenant
    server      the process
    bodies      a request's body, bounded in size and time
    origin      whether a form comes from a page of ours
    secrets     a tenant's secret, read seldom, and the one before it for ten minutes
    receiving   what every receiver of signed messages does
    lineworks   callbacks of LINE WORKS into the inbox
    workplace   events of WORKPLACE into the inbox

Nothing of a request but its tenant and its status enters a log.
"""
