# One node with Raft storage. Three or five nodes add a retry_join each; see docs/production.md.
ui            = false
cluster_name  = "agov"
api_addr      = "https://vault:8200"
cluster_addr  = "https://vault:8201"
log_level     = "info"

# Raft keeps its log in memory-mapped files, with which mlock does not go together. Turn swap off on the host, or
# encrypt it.
disable_mlock = true

default_lease_ttl = "15m"
max_lease_ttl     = "24h"

storage "raft" {
  path    = "/vault/data"
  node_id = "vault-1"
}

listener "tcp" {
  address            = "0.0.0.0:8200"
  cluster_address    = "0.0.0.0:8201"
  tls_cert_file      = "/run/secrets/vault.crt"
  tls_key_file       = "/run/secrets/vault.key"
  tls_min_version    = "tls12"
  max_request_size   = 1048576
  max_request_duration = "30s"
}

# Unsealing by hand needs people at each restart. With a key service they are needed for recovery alone:
# seal "awskms" { region = "eu-central-1", kms_key_id = "alias/vault" }

telemetry {
  prometheus_retention_time = "24h"
  disable_hostname          = true
}
