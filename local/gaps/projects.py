"""SageMaker projects and Service Catalog, neither of which the emulator or moto has: plugged in together."""

from collections.abc import Callable

from local.project_stacks import ProjectStacks, template_at
from local.projects import Projects
from local.sagemaker_account import Call, Document
from local.service_catalog import ServiceCatalog


def plug_in() -> dict[str, Callable[[Call], Document]]:
    """Plug Service Catalog into the running emulator; returns SageMaker's rules for the projects that it makes."""
    from ministack import app
    from ministack.core import iam_actions, router

    from local.gaps import access, service_catalog_resources

    router.SERVICE_PATTERNS["servicecatalog"] = {
        "target_prefixes": ["AWS242ServiceCatalogService."],
        "host_patterns": [r"servicecatalog\."],
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE["servicecatalog"] = "servicecatalog"
    catalogs = ServiceCatalog(access.identify, template_at)
    app.SERVICE_HANDLERS["servicecatalog"] = catalogs.handle
    service_catalog_resources.close(lambda: catalogs.catalog(*access.whose_stack()[:2]))
    return Projects(ProjectStacks(), catalogs.catalog, template_at).rules
