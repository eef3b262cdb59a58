# MinIO's makers publish fixes as source only: the newest image of theirs is older than the fix of CVE-2025-62506.
FROM golang:1.25-alpine AS build
RUN CGO_ENABLED=0 go install github.com/minio/minio@RELEASE.2025-10-15T17-29-55Z

FROM alpine:3.22
COPY --from=build /go/bin/minio /usr/local/bin/minio
RUN adduser -D -u 10002 minio && mkdir /data && chown minio /data
USER 10002
VOLUME /data
ENTRYPOINT ["minio"]
CMD ["server", "/data"]
