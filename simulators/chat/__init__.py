"""Slack, Chatwork, Teams, Google Chat, LINE WORKS and LINE as stand-ins, with a page that shows what people would see.

`GET /_sim/registrations` hands out the secrets and addresses of all six; `/_sim/messages` lists what arrived,
`/_sim/lost` what a service took and never showed; `/_sim/faults` takes faults to play; `POST /_sim/reset` makes all new.
Each service has its own controls below `/_sim/<service>`, see its module.
"""
