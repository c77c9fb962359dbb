"""The same faults for mailsend, smtplib and aiosmtplib; `__main__` says how it is judged."""
