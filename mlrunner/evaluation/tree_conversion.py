"""SHAP values of scikit-learn's trees: they are converted to trees of XGBoost, which computes the values.

Each value of a column is replaced by the number of thresholds below it, so that XGBoost, which compares floats of 32
bits, sends every row the way that scikit-learn does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import orjson
import pandas as pd

from mlrunner.core.forests import FORESTS
from mlrunner.evaluation import sklearn_private
from mlrunner.evaluation.predictions import Array

SINGLE = {"DecisionTreeRegressor", "DecisionTreeClassifier", "ExtraTreeRegressor", "ExtraTreeClassifier"}
BOOSTERS = {"GradientBoostingRegressor", "GradientBoostingClassifier"}
MOST_WORK, LEAST_ROWS = 2e10, 20  # nodes times squared depth: some seconds


@dataclass(frozen=True)
class Tree:
    """Hold a binary tree; a row goes left if its value is at most the threshold.

    Args:
        left: Left child of each node, shape (n_nodes,); -1 for a leaf.
        right: Right child of each node; -1 for a leaf.
        feature: Position of the feature that a node splits.
        threshold: Threshold of each node.
        missing_left: Whether a missing value goes left.
        cover: Weight of the training rows of each node.
        value: Value of each node, shape (n_nodes, n_outputs).
    """

    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing_left: Array
    cover: Array
    value: Array


def can_convert(model: Any) -> bool:
    """Check whether a fitted estimator is a tree, a forest or a booster of scikit-learn."""
    name = type(model).__name__
    if name in BOOSTERS:
        return model.init is None or model.init == "zero"  # another one is no tree
    return name in SINGLE | FORESTS or (name.startswith("HistGradient") and sklearn_private.can_read(model))


def explain(model: Any, inputs: pd.DataFrame) -> Array:
    """Compute SHAP values.

    Args:
        model: Fitted estimator for which `can_convert` is true.
        inputs: Encoded features, shape (n_rows, n_features).

    Returns:
        Values of each feature and at last of the base, shape (n_rows, n_outputs, n_features + 1).
    """
    import xgboost

    rows, (trees, base) = inputs.to_numpy(), list_trees(model)
    if not type(model).__name__.startswith("HistGradient"):
        rows = rows.astype(np.float32)  # as the trees see them
    thresholds = [_list_thresholds(trees, at) for at in range(rows.shape[1])]
    codes = np.column_stack([_encode(rows[:, at], known) for at, known in enumerate(thresholds)])
    matrix = xgboost.DMatrix(codes)
    outputs = [_make_booster(trees, thresholds, at).predict(matrix, pred_contribs=True) for at in range(len(base))]
    values = np.stack(outputs, axis=1).astype(np.float64)
    values[:, :, -1] += base
    return values


def limit_rows(model: Any) -> int:
    """Return the number of rows whose values are computed in some seconds; a leaf costs the square of its depth."""
    trees, base = list_trees(model)
    depth = max(len(_list_levels(tree)) for tree in trees)
    work = sum(len(tree.left) for tree in trees) * depth**2 * len(base)
    return max(LEAST_ROWS, int(MOST_WORK / work))


def list_trees(model: Any) -> tuple[list[Tree], Array]:
    """List the trees, whose values add up with the base of each output to the raw prediction."""
    if type(model).__name__.startswith("HistGradient"):
        nodes, base = sklearn_private.read_nodes(model)
        return [_convert_nodes(table, output, len(base)) for table, output in nodes], base
    if type(model).__name__ in BOOSTERS:
        return _list_boosted(model)
    parts = [model] if type(model).__name__ in SINGLE else model.estimators_
    trees = [_convert_tree(part.tree_, 1 / len(parts), hasattr(model, "classes_")) for part in parts]
    return trees, np.zeros(trees[0].value.shape[1])


def _list_boosted(model: Any) -> tuple[list[Tree], Array]:
    """List the trees of each output; the base is what they leave of the raw prediction of any row."""
    row = pd.DataFrame(np.zeros((1, model.n_features_in_)), columns=getattr(model, "feature_names_in_", None))
    raw = model.decision_function(row) if hasattr(model, "classes_") else model.predict(row)
    outputs = model.estimators_.shape[1]
    boosted = [[part.predict(row.to_numpy())[0] for part in parts] for parts in model.estimators_]
    trees = []
    for parts in model.estimators_:
        for output, part in enumerate(parts):
            tree = _convert_tree(part.tree_, model.learning_rate, is_classifier=False)
            trees.append(replace(tree, value=tree.value * np.eye(outputs)[output]))
    return trees, np.ravel(raw) - model.learning_rate * np.sum(boosted, axis=0)


def _convert_tree(tree: Any, share: float, is_classifier: bool) -> Tree:
    value = tree.value[:, 0, :]
    value = value / value.sum(axis=1, keepdims=True) if is_classifier else value
    missing = np.asarray(getattr(tree, "missing_go_to_left", np.zeros(tree.node_count)), dtype=bool)
    children, covers = (tree.children_left, tree.children_right), tree.weighted_n_node_samples
    return Tree(*children, tree.feature, tree.threshold, missing, covers, value * share)


def _convert_nodes(nodes: Any, output: int, outputs: int) -> Tree:
    value = np.zeros((len(nodes), outputs))
    value[:, output] = nodes["value"]
    is_leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(is_leaf, -1, nodes[side].astype(int)) for side in ("left", "right"))
    missing = nodes["missing_go_to_left"].astype(bool)
    return Tree(left, right, nodes["feature_idx"], nodes["num_threshold"], missing, nodes["count"], value)


def _list_thresholds(trees: list[Tree], feature: int) -> Array:
    """List the thresholds of a feature in all trees, in ascending order."""
    used = [tree.threshold[(tree.left >= 0) & (tree.feature == feature)] for tree in trees]
    return np.unique(np.concatenate(used))


def _encode(column: Array, thresholds: Array) -> Array:
    """Count the thresholds below each value; a missing value stays missing."""
    return np.where(np.isnan(column), np.nan, np.searchsorted(thresholds, column, side="left"))


def _make_booster(trees: list[Tree], thresholds: list[Array], output: int) -> Any:
    """Build a booster of one output: one that XGBoost has saved, with other trees in it."""
    import xgboost

    one_row = xgboost.DMatrix(np.zeros((1, len(thresholds))), label=[0.0])
    booster = xgboost.train({"base_score": 0.0, "objective": "reg:squarederror"}, one_row, num_boost_round=1)
    document = orjson.loads(booster.save_raw("json"))
    model = document["learner"]["gradient_booster"]["model"]
    template = model["trees"][0]
    model["trees"] = [_write_tree(tree, thresholds, output, at, template) for at, tree in enumerate(trees)]
    model["tree_info"], model["iteration_indptr"] = [0] * len(trees), list(range(len(trees) + 1))
    model["gbtree_model_param"]["num_trees"] = str(len(trees))
    booster.load_model(bytearray(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)))
    return booster


def _renumber(tree: Tree) -> Tree:
    """Number the nodes level by level, so that the right child follows the left one, as XGBoost takes for granted."""
    order, places = np.concatenate(_list_levels(tree)), np.empty(len(tree.left), dtype=int)
    places[order] = np.arange(len(order))
    moved = {field.name: getattr(tree, field.name)[order] for field in fields(tree)}
    for side in ("left", "right"):
        moved[side] = np.where(moved[side] >= 0, places[moved[side]], -1)
    return Tree(**moved)


def _list_levels(tree: Tree) -> list[Array]:
    """List the nodes of each level."""
    levels = [np.zeros(1, dtype=int)]
    while len(inner := levels[-1][tree.left[levels[-1]] >= 0]):
        levels.append(np.column_stack([tree.left[inner], tree.right[inner]]).ravel())
    return levels


def _write_tree(tree: Tree, thresholds: list[Array], output: int, number: int, template: Any) -> dict[str, Any]:
    tree = _renumber(tree)
    inner, size = tree.left >= 0, len(tree.left)
    feature, value = np.where(inner, tree.feature, 0).astype(int), tree.value[:, output]
    codes = np.zeros(size)
    for at in np.unique(feature[inner]):
        here = inner & (feature == at)
        codes[here] = np.searchsorted(thresholds[at], tree.threshold[here]) + 0.5
    parents = np.full(size, 2**31 - 1)  # of the root
    for children in (tree.left, tree.right):
        parents[children[inner]] = np.flatnonzero(inner)
    nodes = {
        "left_children": tree.left.astype(int),
        "right_children": tree.right.astype(int),
        "parents": parents,
        "split_indices": feature,
        "split_conditions": np.where(inner, codes, value).astype(np.float32),
        "default_left": (inner & tree.missing_left).astype(int),
        "sum_hessian": tree.cover.astype(np.float32),
        "base_weights": value.astype(np.float32),
        "loss_changes": np.zeros(size, dtype=np.float32),
        "split_type": np.zeros(size, dtype=int),
    }
    sizes = {**template["tree_param"], "num_nodes": str(size)}
    return {**template, **nodes, "id": number, "tree_param": sizes}
