"""Detections compared pair by pair, in loops."""


def iou(a, b):
    """Return the overlap of two boxes (left, top, width, height)."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def counts(found, true, least):
    """Return {category: (right, found, true)} of rows {"image_id", "category_id", "bbox", "score"}."""
    taken, right = set(), {}
    for row in sorted(found, key=lambda row: -row["score"]):
        best, most = None, 0.0
        for i, other in enumerate(true):
            same = all(row[key] == other[key] for key in ("image_id", "category_id"))
            overlap = iou(row["bbox"], other["bbox"])
            if same and i not in taken and overlap >= least and overlap > most:
                best, most = i, overlap
        if best is not None:
            taken.add(best)
            right[row["category_id"]] = right.get(row["category_id"], 0) + 1
    categories = {row["category_id"] for row in (*found, *true)}
    return {
        c: (right.get(c, 0), *(sum(row["category_id"] == c for row in rows) for rows in (found, true)))
        for c in categories
    }
