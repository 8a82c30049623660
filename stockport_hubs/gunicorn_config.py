"""How gunicorn serves the site, in tests as in production: `gunicorn -c python:stockport_hubs.gunicorn_config`."""

# A browser opens connections before it has anything to ask, a phone leaves some behind: a worker that serves one
# connection at a time would wait on such a one while everybody waits for it.
preload_app = True  # imported once, before workers are forked: a new one is there at once
worker_class = "gthread"
threads = 16
keepalive = 0  # a proxy that reuses a connection at the moment we close it would lose somebody's form
control_socket_disable = True
