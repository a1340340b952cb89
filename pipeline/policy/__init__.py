"""The retry table: one pure function a lane, from what came back to what to do about it.

The rows and their reasons are in docs/reliability.md. The one rule behind the submit lane: a POST is repeated only
when it provably made nothing — no byte was sent, or the provider said "not now". Everything else that is no clear
answer is `uncertain`, and stays so until there is proof or a person's word.
"""
