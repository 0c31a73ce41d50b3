namespace Microsoft.ML.VisionModels.Training;

/// <summary>Splits rows into those to train on and those to validate on.</summary>
internal static class HoldOut
{
    /// <summary>
    /// Takes <paramref name="fraction"/> of each class for validation, by the seed, at least one row of a class that has two.
    /// <paramref name="classes"/> is each row's class. Both lists are in ascending order.
    /// </summary>
    public static (int[] Train, int[] Validation) Split(IReadOnlyList<int> classes, double fraction, int seed)
    {
        if (fraction == 0)
            return ([.. Enumerable.Range(0, classes.Count)], []);

        var order = EpochOrder.Shuffle(classes.Count, seed, epoch: -1); // no epoch of the training: independent of its orders
        var validation = order.Select(row => (int)row)
            .GroupBy(row => classes[row])
            .SelectMany(rows => rows.Take(Share(rows.Count())))
            .ToHashSet();
        var byPart = Enumerable.Range(0, classes.Count).ToLookup(validation.Contains);
        return ([.. byPart[false]], [.. byPart[true]]);

        int Share(int rows) => rows < 2 ? 0 : Math.Clamp((int)Math.Round(fraction * rows), 1, rows - 1);
    }
}
