"""What the lines of a sheet must be together, and what a customer is warned of (E5, E16–E20, E23, E34, L7).

`users` has the errors of ユーザデータ, `user_warnings` its warnings (those of passwords and contacts in modules
of their own), `information` the warnings of 連携情報. All of them stand on `lines`. Every finding is placed at
the cell that decides.
"""
