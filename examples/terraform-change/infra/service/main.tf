# Needs no provider and no cloud: terraform_data lives in the state alone.
terraform {
  required_version = ">= 1.5"
}

variable "environment" {
  type = string
}

variable "replicas" {
  type = number
}

variable "image" {
  type = string
}

resource "terraform_data" "database" {
  input = { name = "${var.environment}-db" }
}

# A new image replaces the service: one resource destroyed, one created.
resource "terraform_data" "service" {
  count            = var.replicas
  triggers_replace = var.image
  input = {
    name     = "${var.environment}-web-${count.index}"
    database = terraform_data.database.output.name
  }
}

output "names" {
  value = [for service in terraform_data.service : service.output.name]
}
