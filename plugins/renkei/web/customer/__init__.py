"""お客様ページ: what a customer's administrator without an Airflow login sees and does, by an invitation.

    invitations   who may come in until when and for what, and who is in
    tables        their rows
    facts         what the pages are given by whoever mounts them
    guard         who asks: every route has exactly one of its functions
    app           the app, and what it answers where something is wrong
    page          a template as an answer
    entry, sheets, results    the routes

It is served where the internet reaches it (`renkei.public`), and knows neither Airflow nor a link.
"""
