variable "replicas" {
  type    = number
  default = 3
}

variable "image" {
  type    = string
  default = "web:1"
}

module "service" {
  source      = "../service"
  environment = "prod"
  replicas    = var.replicas
  image       = var.image
}
