"""The YAML form as JSON Schema (draft 2020-12), so that an editor completes and checks it (E15).

Made from the tables that the reader itself uses. It refuses only what `parse` refuses as well. Names are
matched as the reader does, whatever their width, blanks and brackets, as far as a pattern can say so: a text
with a sign outside `PLAIN` (half-width kana, compatibility letters, zero-width characters …) is left to the
reader. So is what needs two cells or more, except for required lines, pairs and lines that stand twice.

Every scalar is text to the reader, but a number, a truth value or nothing to other tools: each of these is
accepted where the text that gives it could be.

`document` has the whole, made of `information`, `tables` and `notifications`; a line of ユーザデータ is made of `cells`; all of
them stand on `patterns`.
"""
