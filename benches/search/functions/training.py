"""Real training runs: scikit-learn's models on its built-in data sets, by cross-validated error.

Two thousand configurations of each are trained once and kept; a small network through their errors then
answers for any other (`surrogate.py`), so that a thousand searches take minutes.
"""

import functools

from .cnn import CNN_FACES
from .function import Function
from .space import choice, log, uniform, when, whole
from .surrogate import Surrogate

FOLDS = 3


@functools.cache
def digits():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images[:600] / 16.0, labels[:600]


@functools.cache
def cancer():
    from sklearn.datasets import load_breast_cancer
    from sklearn.preprocessing import StandardScaler

    features, labels = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(features), labels


@functools.cache
def diabetes():
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import StandardScaler

    features, target = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(features), (target - target.mean()) / target.std()


def error(model, data, scoring="accuracy"):
    """Share of wrong answers; of a regression, of the variance that is left."""
    from sklearn.model_selection import KFold, cross_val_score

    folds = KFold(FOLDS, shuffle=True, random_state=0)
    return 1 - float(cross_val_score(model, *data, scoring=scoring, cv=folds).mean())


def svc(p):
    from sklearn.svm import SVC

    more = {"degree": p["degree"]} if p["kernel"] == "poly" else {}
    more |= {"coef0": p["coef0"]} if p["kernel"] != "rbf" else {}
    return error(SVC(C=p["C"], gamma=p["gamma"], kernel=p["kernel"], **more), digits())


SVC_SPACE = {
    "C": log(1e-3, 1e4), "gamma": log(1e-6, 10.0), "kernel": choice("rbf", "poly", "sigmoid"),
    "degree": whole(2, 5, **when("kernel", "poly")),
    "coef0": uniform(-1.0, 1.0, **when("kernel", "poly", "sigmoid")),
}


def knn(p):
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    neighbours = KNeighborsClassifier(p["neighbours"], weights=p["weights"], p=p["power"])
    return error(make_pipeline(PCA(p["components"], random_state=0), neighbours), digits())


KNN_SPACE = {"neighbours": whole(1, 60, log=True), "weights": choice("uniform", "distance"),
             "power": uniform(1.0, 5.0), "components": whole(2, 50)}


def forest(p):
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(p["trees"], max_depth=p["depth"], max_features=p["features"],
                                   min_samples_leaf=p["leaf"], criterion=p["criterion"], random_state=0)
    return error(model, digits())


FOREST_SPACE = {"trees": whole(2, 60, log=True), "depth": whole(2, 15), "features": log(0.02, 1.0),
                "leaf": whole(1, 20, log=True), "criterion": choice("gini", "entropy")}


def network(p):
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(hidden_layer_sizes=[p["width"]] * p["layers"], activation=p["activation"],
                          alpha=p["decay"], learning_rate_init=p["rate"], batch_size=p["batch"], max_iter=8,
                          random_state=0)
    return error(model, digits())


NETWORK_SPACE = {"width": whole(4, 96, log=True), "layers": whole(1, 3), "rate": log(1e-4, 0.3),
                 "decay": log(1e-6, 10.0), "batch": whole(16, 256, log=True),
                 "activation": choice("relu", "tanh", "logistic")}


def boosting(p):
    from sklearn.ensemble import GradientBoostingRegressor

    model = GradientBoostingRegressor(n_estimators=p["trees"], learning_rate=p["rate"], max_depth=p["depth"],
                                      subsample=p["subsample"], max_features=p["features"],
                                      min_samples_leaf=p["leaf"], random_state=0)
    return min(error(model, diabetes(), "r2"), 3.0)


BOOSTING_SPACE = {"trees": whole(5, 120, log=True), "rate": log(1e-3, 1.0), "depth": whole(1, 6),
                  "subsample": uniform(0.2, 1.0), "features": uniform(0.1, 1.0),
                  "leaf": whole(1, 40, log=True)}


def ridge(p):
    from sklearn.kernel_ridge import KernelRidge

    more = {"degree": p["degree"], "coef0": p["coef0"]} if p["kernel"] == "poly" else {}
    model = KernelRidge(alpha=p["alpha"], gamma=p["gamma"], kernel=p["kernel"], **more)
    return min(error(model, diabetes(), "r2"), 3.0)


RIDGE_SPACE = {
    "alpha": log(1e-4, 100.0), "gamma": log(1e-5, 1.0), "kernel": choice("rbf", "laplacian", "poly"),
    "degree": whole(1, 4, **when("kernel", "poly")), "coef0": uniform(0.0, 3.0, **when("kernel", "poly")),
}


def descent(p):
    from sklearn.linear_model import SGDClassifier

    more = {"l1_ratio": p["l1_ratio"]} if p["penalty"] == "elasticnet" else {}
    more |= {"power_t": p["power"]} if p["schedule"] == "invscaling" else {}
    model = SGDClassifier(loss=p["loss"], penalty=p["penalty"], alpha=p["alpha"], learning_rate=p["schedule"],
                          eta0=p["rate"], max_iter=p["passes"], tol=None, random_state=0, **more)
    return error(model, cancer())


DESCENT_SPACE = {
    "loss": choice("hinge", "log_loss", "modified_huber", "perceptron"), "alpha": log(1e-7, 1.0),
    "penalty": choice("l2", "l1", "elasticnet"),
    "l1_ratio": uniform(0.0, 1.0, **when("penalty", "elasticnet")),
    "schedule": choice("constant", "invscaling", "adaptive"), "rate": log(1e-5, 10.0),
    "power": uniform(0.0, 1.0, **when("schedule", "invscaling")), "passes": whole(1, 30, log=True),
}


def trained(name, space, run, **more):
    surrogate = Surrogate(name, space, run)
    return Function(name, "training", space, surrogate.loss, surrogate.best, **more)


SVC_DIGITS = trained("svc_digits", SVC_SPACE, svc, slow=True)
KNN_DIGITS = trained("knn_digits", KNN_SPACE, knn, tuning=True)
FOREST_DIGITS = trained("forest_digits", FOREST_SPACE, forest, tuning=True)
NETWORK_DIGITS = trained("network_digits", NETWORK_SPACE, network, slow=True)
MODELS = {"svc": SVC_DIGITS, "knn": KNN_DIGITS, "forest": FOREST_DIGITS, "network": NETWORK_DIGITS}


def models_space():
    """Which model, and its own settings under it."""
    space = {"model": choice(*MODELS)}
    for model, function in MODELS.items():
        for name, entry in function.space.items():
            entry = dict(entry)
            # A condition of its own implies the model's.
            inner = entry.pop("when", None)
            outer = {"param": f"{model}_{inner['param']}", "in": inner["in"]} if inner else None
            space[f"{model}_{name}"] = {**entry, "when": outer or when("model", model)["when"]}
    return space


def models(params):
    model = params["model"]
    own = {name.removeprefix(f"{model}_"): value for name, value in params.items() if name != "model"}
    return MODELS[model].loss(own)


TRAINING = [
    KNN_DIGITS,
    SVC_DIGITS,
    FOREST_DIGITS,
    NETWORK_DIGITS,
    trained("boosting_diabetes", BOOSTING_SPACE, boosting),
    trained("ridge_diabetes", RIDGE_SPACE, ridge),
    trained("descent_cancer", DESCENT_SPACE, descent, tuning=True),
    CNN_FACES,
    Function("models_digits", "training", models_space(), models,
             lambda: min(function.best() for function in MODELS.values()), slow=True),
]
