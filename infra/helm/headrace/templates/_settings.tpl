{{/* The parameters of a connection to PostgreSQL, as a query of its URL. */}}
{{- define "headrace.postgresParameters" -}}
{{- $pairs := list -}}
{{- range $name, $value := .Values.dagster.postgresql.postgresqlParams -}}
{{- $pairs = append $pairs (printf "%s=%s" $name ($value | toString | urlquery)) -}}
{{- end -}}
{{- with $pairs }}?{{ join "&" . }}{{ end -}}
{{- end -}}

{{/* headrace.yaml: what the chart knows, and over it what the values say. The password is PGPASSWORD. */}}
{{- define "headrace.settings" -}}
{{- $postgres := .Values.dagster.postgresql -}}
{{- $server := printf "%s@%s:%v" $postgres.postgresqlUsername $postgres.postgresqlHost (int $postgres.service.port) -}}
{{- $catalog := printf "postgresql://%s/%s%s" $server .Values.catalog.database (include "headrace.postgresParameters" .) -}}
{{- $known := dict
      "state_dir" "/var/lib/headrace/state"
      "catalog" (dict "url" $catalog)
      "metrics" (dict "host" "0.0.0.0" "port" 9464 "worker_port" 9465) -}}
{{- if .Values.qdrant.enabled -}}
{{- $_ := set $known "index" (dict "url" (printf "http://%s:6333" .Values.qdrant.fullnameOverride)) -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- $_ := set $known "public_url" (printf "https://%s" .Values.ingress.host) -}}
{{- end -}}
{{- mustMergeOverwrite $known (deepCopy .Values.settings) | toYaml -}}
{{- end -}}

{{/* Where the code location is, for commands that launch runs. */}}
{{- define "headrace.workspace" -}}
load_from:
  - grpc_server: {host: {{ include "headrace.name" . }}-definitions, port: 4000, location_name: headrace}
{{- end -}}

{{/* Ports of the servers that the settings' URLs name, one a line; takes any value of the settings. */}}
{{- define "headrace.ports" -}}
{{- if kindIs "map" . -}}
{{- range . }}{{ include "headrace.ports" . }}{{ end -}}
{{- else if kindIs "slice" . -}}
{{- range . }}{{ include "headrace.ports" . }}{{ end -}}
{{- else if and (kindIs "string" .) (regexMatch "^[a-z0-9+]+://[^/]*:[0-9]+(/|$|\\?)" .) -}}
{{ regexFind "[0-9]+$" (regexFind "^[a-z0-9+]+://[^/?]*:[0-9]+" .) }}{{ "\n" }}
{{- else if and (kindIs "string" .) (hasPrefix "http://" .) -}}
80{{ "\n" }}
{{- end -}}
{{- end -}}
