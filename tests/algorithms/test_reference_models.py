"""Linear and generalized linear models give the published numbers, over 3 and over 18 sites."""

from typing import Any

import pytest

from tests.algorithms.federation import federation
from tests.algorithms.reference import CASES, assert_close
from tests.algorithms.tables import table
from vantage6.algorithms.glm.central import glm, linear_model

LINEAR = {
    "longley": ("longley", "TOTEMP ~ GNPDEFL + GNP + UNEMP + ARMED + POP + YEAR"),
    "diabetes": ("diabetes", "target ~ age + sex + bmi + bp + s1 + s2 + s3 + s4 + s5 + s6"),
}
_STAR98 = (
    "LOWINC PERASIAN PERBLACK PERHISP PERMINTE AVYRSEXP AVSALK PERSPENK PTRATIO PCTAF PCTCHRT "
    "PCTYRRND PERMINTE_AVYRSEXP PERMINTE_AVSAL AVYRSEXP_AVSAL PERSPEN_PTRATIO PERSPEN_PCTAF "
    "PTRATIO_PCTAF PERMINTE_AVYRSEXP_AVSAL PERSPEN_PTRATIO_PCTAF"
)
GLM: dict[str, tuple[str, dict[str, Any]]] = {
    "spector": ("spector", {"formula": "GRADE ~ GPA + TUCE + PSI", "family": "binomial"}),
    "spector_probit": (
        "spector",
        {"formula": "GRADE ~ GPA + TUCE + PSI", "family": "binomial", "link": "probit"},
    ),
    "scotland": (
        "scotland",
        {
            "formula": "YES ~ COUTAX + UNEMPF + MOR + ACT + GDP + AGE + COUTAX_FEMALEUNEMP",
            "family": "gamma",
        },
    ),
    "randhie": (
        "randhie",
        {
            "formula": (
                "mdvis ~ lncoins + idp + lpi + fmde + physlm + disea + hlthg + hlthf + hlthp"
            ),
            "family": "poisson",
        },
    ),
    "cpunish": (
        "cpunish",
        {
            "formula": "EXECUTIONS ~ INCOME + PERPOVERTY + PERBLACK + LN_VC100k96 + SOUTH + DEGREE",
            "family": "poisson",
        },
    ),
    "star98": (
        "star98",
        {
            "formula": f"share ~ {' + '.join(_STAR98.split())}",
            "family": "binomial",
            "weights": "MATHTOT",
        },
    ),
    "breast": (
        "breast",
        {
            "formula": "target ~ mean_texture + mean_smoothness + mean_symmetry",
            "family": "binomial",
        },
    ),
    "birthwt": ("birthwt", {"formula": "low ~ age + lwt + race + ftv", "family": "binomial"}),
    "birthwt_log": (
        "birthwt",
        {"formula": "low ~ smoke + race", "family": "binomial", "link": "log"},
    ),
    "warp": ("warp", {"formula": "breaks ~ wool + tension", "family": "poisson"}),
    "ins": (
        "ins",
        {
            "formula": "Claims ~ District + Group + Age",
            "family": "poisson",
            "offset": "log_holders",
        },
    ),
    "quine_nb": (
        "quine",
        {"formula": "Days ~ Eth + Sex + Age + Lrn", "family": "negative_binomial"},
    ),
}
LINEAR_TOLERANCES = {"coef": 1e-12, "se": 1e-12}
GLM_TOLERANCES = {"coef": 1e-11, "se": 1e-10, "dispersion": 1e-10, "theta": 1e-10}
#: Where the engines themselves agree to fewer digits than the tolerance (see the table of cases).
#: MASS takes the standard error of theta one step before the end.
ENGINE: dict[str, dict[str, float]] = {
    "quine_nb": {"se_theta": 1e-5, "deviance": 1e-11, "null_deviance": 1e-11}
}


def coefficients(answer: dict[str, Any]) -> dict[str, float]:
    found = {}
    for row in answer["result"]["coefficients"]:
        found[f"coef.{row['term']}"] = row["estimate"]
        found[f"se.{row['term']}"] = row["standard_error"]
    return found


def linear_values(answer: dict[str, Any]) -> dict[str, float]:
    result = answer["result"]
    return {
        **coefficients(answer),
        "sigma": result["sigma"],
        "r2": result["r_squared"],
        "F": result["f"]["statistic"],
        "loglik": result["log_likelihood"],
        "aic": result["aic"],
        "bic": result["bic"],
        "rss": result["residual_sum_of_squares"],
    }


def glm_values(answer: dict[str, Any], case: str) -> dict[str, float]:
    result = answer["result"]
    theta = result["theta"] or {}
    found = {
        **coefficients(answer),
        "deviance": result["deviance"],
        "null_deviance": result["null_deviance"],
        "aic": result["aic"],
        "dispersion": result["dispersion"],
        "df": result["df_residual"],
        "loglik": result["log_likelihood"],
        "theta": theta.get("estimate"),
        "se_theta": theta.get("standard_error"),
    }
    return {key: found[key] for key in CASES[case]["values"]}


@pytest.mark.parametrize("sites", [3, 18])
@pytest.mark.parametrize("case", LINEAR)
def test_linear_models_equal_the_published_ones(case: str, sites: int):
    name, formula = LINEAR[case]
    answer = linear_model(federation(table(name), sites), formula=formula)
    assert_close(case, linear_values(answer), LINEAR_TOLERANCES, 1e-12)
    assert answer["rounds"] == CASES[case]["rounds"]


@pytest.mark.parametrize("sites", [3, 18])
@pytest.mark.parametrize("case", GLM)
def test_generalized_linear_models_equal_the_published_ones(case: str, sites: int):
    name, arguments = GLM[case]
    answer = glm(federation(table(name), sites), **arguments)
    assert answer["converged"]
    assert_close(case, glm_values(answer, case), {**GLM_TOLERANCES, **ENGINE.get(case, {})}, 1e-12)
    assert answer["rounds"] == CASES[case]["rounds"]
