"""SageMaker projects and Service Catalog, neither of which the emulator or moto has: plugged in together."""

from collections.abc import Callable

from local.projects.projects import ProjectsApi
from local.projects.service_catalog import ServiceCatalogApi
from local.projects.stacks import ProjectStacks, template_at
from local.sagemaker.account import ApiCall, Document


def plug_in() -> dict[str, Callable[[ApiCall], Document]]:
    """Plug Service Catalog into the running emulator; returns SageMaker's rules for the projects that it makes."""
    from ministack import app
    from ministack.core import iam_actions, router

    from local.patches import access, service_catalog_resources

    router.SERVICE_PATTERNS["servicecatalog"] = {
        "target_prefixes": ["AWS242ServiceCatalogService."],
        "host_patterns": [r"servicecatalog\."],
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE["servicecatalog"] = "servicecatalog"
    catalogs = ServiceCatalogApi(access.identify, template_at)
    app.SERVICE_HANDLERS["servicecatalog"] = catalogs.handle
    service_catalog_resources.install(lambda: catalogs.catalog(*access.whose_stack()[:2]))
    return ProjectsApi(ProjectStacks(), catalogs.catalog, template_at).rules
