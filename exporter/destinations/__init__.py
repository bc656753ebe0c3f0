"""Where files are delivered: a folder on this machine or on an SFTP server.

destination.py    the contract of every destination
folder.py         a folder on this machine, usually a mounted share
sftp.py           an SFTP server
  sftp_settings   the settings of an SFTP destination
  deadline        an upper bound on the time of one delivery
  sftp_session    connection, host key, login, requests: the only file that knows paramiko
  sftp_upload     the order of requests that keeps half a file from ever having the final name
  sftp_verdicts   what each failure means to an operator
"""
