"""A small client of the data API for scripts."""

import time

import requests

BASE = "https://data.saltmarsh.example/v2"


class LevelsClient:
    """Reads series of water levels. One object for each key."""

    def __init__(self, api_key, session=None, max_attempts=5):
        self.session = session or requests.Session()
        self.session.headers["X-Api-Key"] = api_key
        self.max_attempts = max_attempts

    def iter_levels(self, station, start, end, step="10m"):
        """Yield (time, metres) from all pages of a series."""
        url = f"{BASE}/stations/{station}/levels"
        params = {"from": start, "to": end, "step": step}
        while url:
            page = self._get_with_backoff(url, params)
            yield from ((value["t"], value["m"]) for value in page["values"])
            url, params = page.get("next"), None

    def _get_with_backoff(self, url, params):
        """GET, waiting for as long as the server asks when there were too many requests."""
        for attempt in range(self.max_attempts):
            answer = self.session.get(url, params=params, timeout=30)
            if answer.status_code != 429:
                answer.raise_for_status()
                return answer.json()
            time.sleep(float(answer.headers.get("Retry-After", 2**attempt)))
        raise TimeoutError(f"no answer after {self.max_attempts} attempts")


def highest_of_day(client, station, day):
    """The highest level of a day and when it was reached."""
    return max(client.iter_levels(station, day, day, step="1m"), key=lambda pair: pair[1])


def verify_signature(body, signature, secret):
    """Whether a webhook call really came from the platform."""
    import hashlib
    import hmac

    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature)
