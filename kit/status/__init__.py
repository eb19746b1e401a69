"""The status page of a service's second port: for whoever runs it, in English, without login and without script."""
