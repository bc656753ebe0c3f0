"""Where exports go: an SFTP server or a folder.

destination.py    what the job asks of any destination
folder.py         a folder of this machine, as a rule a mounted share
sftp.py           a folder on an SFTP server: settings, deadline, verdicts
"""
