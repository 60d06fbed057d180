"""Recipe files of an ensemble's members, written into a bundle, so that it is trained again without those beside it."""

from __future__ import annotations

from pathlib import Path

from napari_cellstage.learn.members import member_names
from napari_cellstage.learn.model import MEMBERS, read_card
from napari_cellstage.learn.recipe import Recipe

RECIPES = "recipes"


def with_members(recipe: Recipe, run: Path, made: Path) -> Recipe:
    """Write the recipes of members that came from files, and return the ensemble's with their places in the bundle.

    Parameters
    ----------
    recipe
        Of the run; of any kind.
    run
        Its folder, where each member's card has its recipe.
    made
        The bundle.
    """
    if recipe.kind != "ensemble":
        return recipe
    places: dict[str, str] = {}
    for number, text in enumerate(member_names(recipe)):
        if ".toml" not in text or text in places:
            continue
        member = Recipe().but(**read_card(run / MEMBERS / str(number))["recipe"])
        places[text] = f"{RECIPES}/{number}.toml"
        (made / RECIPES).mkdir(exist_ok=True)
        # Nobody else has the folder that weights of a file came from; a missing file is said when it is trained.
        member = member.but(name=Path(member.name).name, weights=Path(member.weights).name)
        (made / places[text]).write_text(member.to_toml(), encoding="utf-8")
    return recipe.but(members=", ".join(places.get(text, text) for text in member_names(recipe)))
