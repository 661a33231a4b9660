"""What pyproject.toml cannot say: the folder configs/ of the checkout is installed in the package, as jaxsr/configs."""

from setuptools import find_packages, setup

packages = [*find_packages(include=["jaxsr*"]), "jaxsr.configs", "jaxsr.weights.shipped"]  # the last one holds no code
setup(packages=packages, package_dir={"jaxsr.configs": "configs"})
