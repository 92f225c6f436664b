"""The composition root: settings, threads, the web server, logs, and the command line."""
