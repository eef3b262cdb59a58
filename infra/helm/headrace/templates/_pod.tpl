{{/* Parts that all pods of this chart share. Each takes a dict of root and component. */}}

{{- define "headrace.podMetadata" -}}
labels:
  {{- include "headrace.labels" . | nindent 2 }}
annotations:
  # A process reads its settings when it starts.
  checksum/settings: {{ include "headrace.settings" .root | sha256sum }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "headrace.podSpec" -}}
serviceAccountName: {{ include "headrace.name" .root }}
automountServiceAccountToken: false
{{ include "headrace.placement" . }}
{{- end -}}

{{- define "headrace.placement" -}}
enableServiceLinks: false
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Where pods of a component stand: on machines, and in zones, of their own where there are some. */}}
{{- define "headrace.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "headrace.selector" $ | nindent 8 }}
  {{- end }}
{{- end -}}

{{/* `env`, where it is given, are variables of this component's own. */}}
{{- define "headrace.container" -}}
image: {{ include "headrace.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
env:
  - {name: DAGSTER_HOME, value: {{ .root.Values.global.dagsterHome }}}
  - name: DAGSTER_PG_PASSWORD
    valueFrom:
      {{- include "headrace.password" .root | nindent 6 }}
  {{- include "headrace.env" .root | nindent 2 }}
  {{- with .env }}
  {{- . | nindent 2 }}
  {{- end }}
{{- with .root.Values.existingSecrets }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Variables of every pod, of runs also; those get the two above from Dagster's launcher. */}}
{{- define "headrace.env" -}}
- {name: HOME, value: /tmp}
- {name: HEADRACE_CONFIG, value: /etc/headrace/headrace.yaml}
- name: PGPASSWORD
  valueFrom:
    {{- include "headrace.password" . | nindent 4 }}
# What Dagster's chart lets its dagster.yaml take from the environment.
- {name: DAGSTER_K8S_INSTANCE_CONFIG_MAP, value: {{ include "headrace.dagsterName" . }}-instance}
- {name: DAGSTER_K8S_PG_PASSWORD_SECRET, value: {{ .Values.global.postgresqlSecretName }}}
- {name: DAGSTER_K8S_PIPELINE_RUN_ENV_CONFIGMAP, value: {{ include "headrace.dagsterName" . }}-pipeline-env}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "headrace.password" -}}
secretKeyRef: {name: {{ .Values.global.postgresqlSecretName }}, key: postgresql-password}
{{- end -}}

{{- define "headrace.volumeMounts" -}}
- {name: settings, mountPath: /etc/headrace, readOnly: true}
- {name: state, mountPath: /var/lib/headrace}
- {name: tmp, mountPath: /tmp}
{{- if .Values.landingClaim }}
- {name: landing, mountPath: /var/lib/headrace/landing}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes a dict of root and the name of the ConfigMap with the settings. */}}
{{- define "headrace.volumes" -}}
- {name: settings, configMap: {name: {{ .settings }}}}
- {name: state, emptyDir: {}}
- {name: tmp, emptyDir: {}}
{{- with .root.Values.landingClaim }}
- {name: landing, persistentVolumeClaim: {claimName: {{ . }}}}
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Dagster's settings: of the ConfigMap that its chart makes. */}}
{{- define "headrace.instanceMount" -}}
- {name: dagster-instance, mountPath: {{ .Values.global.dagsterHome }}/dagster.yaml, subPath: dagster.yaml, readOnly: true}
{{- end -}}

{{- define "headrace.instanceVolume" -}}
- {name: dagster-instance, configMap: {name: {{ include "headrace.dagsterName" . }}-instance}}
{{- end -}}
