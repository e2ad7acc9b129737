"""What ``nilometer dashboards`` gives to Grafana: files that it loads, or requests to its HTTP API."""
