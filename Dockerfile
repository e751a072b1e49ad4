# Burgernet itself: every role and command. Asterisk has an image of its own (asterisk_conf/Dockerfile).
FROM python:3.13-slim-trixie

RUN apt-get update -q \
    && apt-get install -y -q --no-install-recommends espeak-ng \
    && rm -rf /var/lib/apt/lists/* \
    # The same number as Asterisk's account in its image: they share configuration and prompts.
    && useradd --uid 5060 --create-home burgernet

WORKDIR /opt/burgernet
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
COPY . .
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    && install -d -o burgernet /var/lib/burgernet /sounds /asterisk-etc

USER burgernet
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["burgernet"]
CMD ["run"]
