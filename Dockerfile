# One image for the broker, registration, the mock banks, what the demo shows, and what makes their keys.
FROM python:3.13-slim

RUN python3 -m venv /opt/tunnus
ENV PATH=/opt/tunnus/bin:$PATH

COPY requirements/demo.txt /srv/tunnus/requirements/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes \
      -r /srv/tunnus/requirements/demo.txt

WORKDIR /srv/tunnus
COPY requirements/install.py requirements/
COPY config config
COPY kit kit
COPY providers providers
COPY broker broker
COPY verifier/tunnus_verifier verifier/tunnus_verifier
COPY registration registration
COPY customer_service customer_service
COPY mock_idp mock_idp
COPY demo demo
RUN python requirements/install.py && python -m compileall -q kit broker providers registration customer_service verifier mock_idp demo

# Volumes take over owner and mode of the folders they are mounted on.
RUN groupadd --gid 10001 tunnus && useradd --uid 10001 --gid tunnus --no-create-home --shell /usr/sbin/nologin tunnus \
  && cd /var/lib && install -d -o tunnus -g tunnus -m 0700 \
      tunnus tunnus/public tunnus/keys tunnus/audit tunnus/mock-idp tunnus/portal \
      tunnus/registration tunnus/online-service tunnus/customer-service \
  && install -d -o tunnus -g tunnus -m 0755 tunnus/database
USER 10001:10001

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TUNNUS_CONFIG=/srv/tunnus/config/demo.toml
CMD ["tunnus", "serve"]
