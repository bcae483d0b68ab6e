variable "replicas" {
  type    = number
  default = 1
}

variable "image" {
  type    = string
  default = "web:1"
}

module "service" {
  source      = "../service"
  environment = "dev"
  replicas    = var.replicas
  image       = var.image
}
