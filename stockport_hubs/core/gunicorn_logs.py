"""gunicorn's own lines in the form of ours: `--logger-class stockport_hubs.core.gunicorn_logs.JsonLogger`."""

from gunicorn.glogging import Logger

from stockport_hubs.core.logs import JsonFormatter


class JsonLogger(Logger):
    """One JSON object a line; addresses that gunicorn mentions stay out."""

    def setup(self, cfg):
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())
