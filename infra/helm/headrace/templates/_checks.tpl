{{/* What a schema cannot say: values that have to agree with each other. Renders nothing. */}}
{{- define "headrace.check" -}}
{{- $settings := include "headrace.settings" . | fromYaml -}}
{{- $url := dig "index" "url" "" $settings -}}
{{- if or (not $url) (eq $url "embedded") -}}
{{- fail "settings.index.url: name a Qdrant server, or set qdrant.enabled: pods cannot share the embedded index" -}}
{{- end -}}
{{- $landing := dig "landing" "url" "" $settings -}}
{{- if and (hasPrefix "file:" $landing) (not .Values.landingClaim) -}}
{{- fail "settings.landing.url: name a bucket (s3://…), or a shared volume as landingClaim" -}}
{{- end -}}
{{- if and .Values.dagster.enabled .Values.dagster.dagsterWebserver.workspace.servers -}}
{{- $host := (first .Values.dagster.dagsterWebserver.workspace.servers).host -}}
{{- $service := printf "%s-definitions" (include "headrace.name" .) -}}
{{- if ne $host $service -}}
{{- fail (printf "dagster.dagsterWebserver.workspace.servers: the host must be %s, the Service of the code location" $service) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: name the host by which people reach Headrace" -}}
{{- end -}}
{{- with .Values.worker.autoscaling -}}
{{- if and .enabled (eq .provider "keda") (not .prometheus.url) -}}
{{- fail "worker.autoscaling.prometheus.url: KEDA asks a Prometheus; name it" -}}
{{- end -}}
{{- if lt (int .maxReplicas) (int .minReplicas) -}}
{{- fail "worker.autoscaling: maxReplicas is below minReplicas" -}}
{{- end -}}
{{- end -}}
{{- if lt (int .Values.retrieval.autoscaling.maxReplicas) (int .Values.retrieval.autoscaling.minReplicas) -}}
{{- fail "retrieval.autoscaling: maxReplicas is below minReplicas" -}}
{{- end -}}
{{- include "headrace.checkSecrets" (dict "value" .Values.settings "path" "settings") -}}
{{- end -}}

{{/* Values are kept in the release, where many may read them: what is secret is named there, and stands in a Secret. */}}
{{- define "headrace.checkSecrets" -}}
{{- $path := .path -}}
{{- $secrets := include "headrace.secretKeys" . | splitList " " -}}
{{- if kindIs "map" .value -}}
{{- range $key, $value := .value -}}
{{- $below := printf "%s.%s" $path $key -}}
{{- if and (kindIs "string" $value) $value (or (has $key $secrets) (eq $below "settings.notifications.url")) (not (regexMatch "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$" $value)) -}}
{{- fail (printf "%s: write ${NAME}, and put the value into a Secret of existingSecrets under that name" $below) -}}
{{- end -}}
{{- include "headrace.checkSecrets" (dict "value" $value "path" $below) -}}
{{- end -}}
{{- else if kindIs "slice" .value -}}
{{- range $index, $value := .value -}}
{{- include "headrace.checkSecrets" (dict "value" $value "path" (printf "%s[%d]" $path $index)) -}}
{{- end -}}
{{- else if and (kindIs "string" .value) (regexMatch "://[^/@]*:[^/@$]+@" .value) -}}
{{- fail (printf "%s: holds a password; write ${NAME} in its place, and put it into a Secret of existingSecrets" $path) -}}
{{- end -}}
{{- end -}}

{{- define "headrace.secretKeys" -}}
api_key client_secret key operator_key private_key token webhook_secret
{{- end -}}
