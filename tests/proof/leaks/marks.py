"""What tells who somebody is, and every secret: each has a mark that occurs nowhere else."""

from __future__ import annotations

MAPPED = {  # kind → mark; read, kept in the store, written to EMC, and nowhere else
    "family name": "鼬川",
    "given name": "麑子",
    "family reading": "イタチガワ",
    "given reading": "カノコヒメ",
    "mail address": "@himitsu.example",
    "telephone": "090-5557-",
    "telephone in digits": "0905557",
    "custom field": "KUBUNZQ",
}
USER_ID = {"user id": "EIDZQX"}  # a mail may name a person by it
UNMAPPED = {  # not in any sheet, so not even read
    "business name": "螽斯田",
    "address": "矍鑠町",
    "next of kin": "070-5558-",
    "unmapped custom field": "@fuyo.example",
}
ADDRESS = {"result address": "@shirase.example"}
PASSWORD = {"literal password": "LitZQ7x"}  # stands in the sheet, so its compiled form has it too
SECRETS = {
    "access token": "TOKZQ-",
    "mail server's password": "SMTPZQ",
    "secret of 秘密:": "SecZQ9y",
    "webhook URL": "HOOKZQ",
    # As the simulated chat services hand them out; LINE WORKS' private key is made anew each time (`Search.always`).
    "Slack webhook": "simulatedSlackWebhook0001",
    "Slack token": "xoxb-simulated-bot",
    "Chatwork token": "simulated-chatwork-token",
    "Teams signature": "simulated-signature_0001",
    "Google Chat token": "simulated-token_0001",
    "LINE WORKS client secret": "simWorks01",
    "LINE WORKS assertion": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9",  # how a JWT signed with RS256 begins
    "LINE token": "f8atA8AuFYZ2vUWousgNy26V",
}
EVERYTHING = MAPPED | USER_ID | UNMAPPED | ADDRESS | PASSWORD | SECRETS
NOT_IN_AIRFLOW = [kind for kind in EVERYTHING if kind not in USER_ID]

ASCII_QUOTE = (
    "EIDZQX0001 kojin1@himitsu.example.jp 090-5557-0001 09055570001 soumu@shirase.example.jp TOKZQ-quoted SMTPZQ-quoted"
)
QUOTE = f"鼬川1　麑子1 イタチガワ カノコヒメ 螽斯田1 矍鑠町1 LitZQ7x SecZQ9y KUBUNZQ1 {ASCII_QUOTE}"
