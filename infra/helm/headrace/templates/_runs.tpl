{{/* How Dagster's launcher makes the pods of runs, and of their steps: it is told by the code location. */}}
{{- define "headrace.runContext" -}}
k8s:
  namespace: {{ .Release.Namespace }}
  image_pull_policy: {{ .Values.image.pullPolicy }}
  {{- with .Values.imagePullSecrets }}
  image_pull_secrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  service_account_name: {{ include "headrace.name" . }}-run
  env:
    {{- include "headrace.env" . | nindent 4 }}
  {{- with .Values.existingSecrets }}
  env_secrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    {{- include "headrace.selector" (dict "root" . "component" "run") | nindent 4 }}
  resources:
    {{- toYaml .Values.runs.resources | nindent 4 }}
  security_context:
    {{- toYaml .Values.securityContext | nindent 4 }}
  volumes:
    {{- include "headrace.volumes" (dict "root" . "settings" (printf "%s-settings" (include "headrace.name" .))) | nindent 4 }}
  volume_mounts:
    {{- include "headrace.volumeMounts" . | nindent 4 }}
  run_k8s_config:
    job_spec_config: {ttl_seconds_after_finished: {{ .Values.runs.ttlSecondsAfterFinished }}}
    pod_spec_config:
      termination_grace_period_seconds: {{ .Values.runs.terminationGracePeriodSeconds }}
      automount_service_account_token: {{ include "headrace.launchesSteps" . }}
      {{- include "headrace.runPlacement" . | nindent 6 }}
{{- end -}}

{{- define "headrace.runPlacement" -}}
enable_service_links: false
security_context:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
node_selector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Whether a run starts pods itself: then, and only then, it may speak to the cluster. */}}
{{- define "headrace.launchesSteps" -}}
{{- eq "k8s" (dig "runs" "executor" "in_process" .Values.settings) -}}
{{- end -}}

{{- define "headrace.definitionsEnv" -}}
- {name: DAGSTER_CONTAINER_IMAGE, value: {{ include "headrace.image" . }}}
- name: DAGSTER_CONTAINER_CONTEXT
  value: {{ include "headrace.runContext" . | fromYaml | toJson | quote }}
{{- end -}}
