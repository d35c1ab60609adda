"""What is trained for each picture task, and what its card says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from healthdash.training import TrainSettings

from .augment import Augmentation
from .fitting import FitPlan
from .network import NetworkPlan
from .transfer import HeadPlan

__all__ = ["CHEST_XRAY", "LUNG_CT", "OWN_LIMITS", "OWN_USE", "Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a picture task is trained; the settings of a run may override parts of it.

    Attributes
    ----------
    order : tuple of str
        Labels in the network's order.
    label_groups : dict
        Named sums of labels; the first is decided by an operating point.
    draw_against_shortcuts : float
        Power of the overlap weights in drawing training pictures; 0 draws all alike.
    members, folds : int
        Networks of different seeds that are averaged; folds of a cross-validation, 0 for none.
    mirrored : bool
        The shipped network also sees each picture mirrored, and averages.
    window_hu : (float, float) or None
        Center and width in which CT values become grey; None for pictures that are no CT.
    head : HeadPlan or None
        Where there are folds: the convolutions stay as ImageNet left them, and this head is fitted on
        their pooled features. None: the network is trained whole.
    numbered : bool
        Published files of one patient often follow one another: figures are also given for folds of
        neighbouring files.
    """

    task: str
    title: str
    order: tuple[str, ...]
    size: int
    label_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fit: FitPlan
    members: int = 1
    mirrored: bool = True
    folds: int = 0
    draw_against_shortcuts: float = 0.0
    window_hu: tuple[float, float] | None = None
    head: HeadPlan | None = None
    numbered: bool = False
    intended_use: str
    limits: tuple[str, ...]

    def network(self, labels: int) -> NetworkPlan:
        """Return the shape of a network for so many labels."""
        return NetworkPlan(size=self.size, labels=labels)

    def grouped(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the groups of labels whose every label is among these."""
        return {group: members for group, members in self.label_groups.items() if set(members) <= set(names)}

    def with_settings(self, settings: TrainSettings) -> Recipe:
        """Return the recipe as a user wants it; what is None stays."""
        chosen: dict[str, Any] = {
            name: value
            for name in ("epochs", "batch_size", "learning_rate", "patience")
            if (value := getattr(settings, name)) is not None
        }
        if not settings.augment:
            chosen["augmentation"] = None
        head = replace(self.head, **_of_head(chosen)) if self.head else None
        return replace(
            self,
            fit=replace(self.fit, **chosen),
            head=head,
            members=settings.members or self.members,
            folds=settings.folds if settings.folds is not None else self.folds,
        )


def _of_head(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return those settings that a head has too."""
    return {name: value for name, value in chosen.items() if name != "patience"}


#: Of a model that somebody trains on pictures of their own.
OWN_USE = "Research and teaching by the person who brought the pictures. Not for clinical use."
OWN_LIMITS = (
    "Trained on pictures that this project has never seen: what they show, of whom and from where is known "
    "to the person who brought them alone.",
    "The figures hold for pictures like these; another hospital's will be lower.",
)

_SAME_HOSPITAL = (
    "The figures are from the hospital that the training pictures came from; another's will be lower."
)

CHEST_XRAY = Recipe(
    task="chest-xray",
    title="Chest X-ray: normal, bacterial or viral pneumonia",
    order=("normal", "bacterial", "viral"),
    label_groups={"pneumonia": ("bacterial", "viral")},
    size=192,
    fit=FitPlan(
        epochs=12,
        batch_size=32,
        learning_rate=5e-4,
        average_momentum=0.99,
        patience=None,
        # On processors, depthwise convolutions take longer in bfloat16 than in float32.
        half_precision=False,
        augmentation=Augmentation(
            smallest_scale=0.6, noise=0.05, zoom=1.35, aspect=1.6, tone=0.2, patches=0.25, mixup=0.1
        ),
    ),
    members=2,
    draw_against_shortcuts=0.3,
    intended_use="Research and education on whole, upright, frontal chest X-rays of children aged one to "
    "five. Not for clinical use.",
    limits=(
        "Children aged 1 to 5 of one hospital (Guangzhou); adults, lateral views and other findings were "
        "never seen.",
        _SAME_HOSPITAL,
        "A known weakness of models trained on these data: in pictures of other series, normal ones are "
        "called pneumonia too often.",
        "In these pictures brightness, sharpness and aspect alone give the label away (see the other models "
        "on the same rows). Training scrambles them and draws pictures that contradict them more often; "
        "that lessens the harm but cannot end it.",
        "The pictures came squashed to a square, so every picture is squashed to a square.",
        "Bacterial against viral is told far less well than pneumonia against normal, and worst in the last "
        "quarter of the published numbering (under subgroups): in the other three brightness, sharpness and "
        "aspect alone tell most of the two apart, so they were taken in different ways. Expect the figure of "
        "the last quarter, or a lower one, of another hospital's pictures.",
        "The networks started from weights of EfficientNet-Lite0 that were trained on the photographs of "
        "ImageNet (Google; licence of the weights Apache-2.0).",
    ),
)

_SLICES = Augmentation(
    rotation_degrees=8,
    shear=0.04,
    shift=0.06,
    zoom=1.15,
    aspect=1.15,
    tone=0.1,
    field=0.1,
    noise=0.03,
    smallest_scale=0.9,
    patches=0.1,
)

LUNG_CT = Recipe(
    task="lung-ct",
    title="Lung CT slice: normal, benign or malignant",
    order=("normal", "benign", "malignant"),
    # Read off the training pictures: grey 42.5 is air (-1000 HU), 196 fat (-100), 220 muscle (50).
    window_hu=(-500.0, 1500.0),
    size=192,
    head=HeadPlan(augmentation=_SLICES),
    fit=FitPlan(
        epochs=12,
        batch_size=32,
        learning_rate=3e-4,
        weight_decay=0.05,
        patience=None,
        half_precision=False,
        augmentation=_SLICES,
    ),
    folds=5,
    numbered=True,
    intended_use="Research and education on single axial CT slices of the chest, windowed as in the training "
    "data. Not for clinical use.",
    limits=(
        "One slice is judged, not a patient; the label of a training slice is that of its patient.",
        "Few benign slices (95, in 38 groups of near-duplicates): look at their recall and its interval "
        "before anything else.",
        "One source in one country. The data name no patients, so groups of near-duplicates stand in for "
        "them, and slices of one patient may still be in two folds: with folds of neighbouring files, which "
        "part fewer patients, the figures are lower (under subgroups). Expect those for a new patient.",
        "Brightness, sharpness and aspect alone tell the labels apart at least as well as the network does "
        "(see the other models on the same rows): pictures of one label were taken alike. The figures do not "
        "prove that the network reads the lungs.",
        "Papers that report 0.93 and more on these data split slices at random, so that neighbours of a "
        "test slice were trained on; here near-duplicates are kept together.",
        "The convolutions are those of EfficientNet-Lite0 as trained on the photographs of ImageNet (Google; "
        "licence of the weights Apache-2.0), never on CT; only a linear head was fitted. The shipped head is "
        "the mean of the five folds' heads. The figures are of each fold's head on the groups that it was "
        "not fitted on; the mean itself was not measured on unseen groups. Network, size and penalty were "
        "chosen among a few on these same slices, which flatters a little.",
    ),
)
