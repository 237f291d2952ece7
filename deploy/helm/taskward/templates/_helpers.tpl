{{- define "taskward.name" -}}
{{- $name := printf "%s-%s" .Release.Name .Chart.Name -}}
{{- if contains .Chart.Name .Release.Name }}{{ $name = .Release.Name }}{{ end -}}
{{ $name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "taskward.selector" -}}
app.kubernetes.io/name: taskward
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "taskward.labels" -}}
app.kubernetes.io/name: taskward
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "taskward.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository is missing: the name of your image, like registry.example.com/taskward" $image.repository -}}
{{- if $image.digest }}{{ $repository }}@{{ $image.digest }}{{ else }}{{ $repository }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The settings, which the server, the migrations and the test read. One in `settings` has precedence over one in a Secret. */}}
{{- define "taskward.environment" -}}
{{- if not .Values.secrets }}
{{- fail "secrets is empty: name a Secret that has DATABASE_URL" }}
{{- end -}}
envFrom:
  {{- range .Values.secrets }}
  - secretRef:
      name: {{ . }}
  {{- end }}
env:
  {{- range $name, $value := .Values.settings }}
  - name: {{ $name }}
    value: {{ $value | quote }}
  {{- end }}
  - name: SHUTDOWN_DELAY_SECONDS
    value: {{ .Values.shutdownDelaySeconds | quote }}
{{- end }}

{{- define "taskward.podSecurity" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "taskward.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}
