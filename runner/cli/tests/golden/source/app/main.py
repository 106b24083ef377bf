import json


def parse_config(path):
    """Reads the settings file."""
    return json.load(open(path))
