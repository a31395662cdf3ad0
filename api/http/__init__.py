"""What gunicorn and WSGI ask for: requests, bodies, answers, limits and lists."""
