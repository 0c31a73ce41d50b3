namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>How much the rows of each class count in the loss.</summary>
internal static class ClassWeights
{
    /// <exception cref="ArgumentException">A class is named that there is not, or all weights are 0.</exception>
    public static float[] Of(ImageClassifierOptions options, LabelSet labels, IReadOnlyList<int> classesOfRows)
    {
        var weights = Enumerable.Repeat(1f, labels.Count).ToArray();
        if (options.ClassBalance == ClassBalance.Weights)
        {
            // A class of n of all N rows: N / (classes n). The mean over the rows is 1.
            foreach (var (index, count) in classesOfRows.CountBy(c => c))
                weights[index] = (float)classesOfRows.Count / (labels.Count * count);
        }
        foreach (var (name, weight) in options.ClassWeights ?? new Dictionary<string, double>())
        {
            var index = labels.Names.ToList().IndexOf(name);
            if (index < 0)
                throw new ArgumentException($"{nameof(options.ClassWeights)} names the class '{name}'; the classes are {string.Join(", ", labels.Names)}.");
            weights[index] *= (float)weight;
        }
        if (!classesOfRows.Any(c => weights[c] > 0))
            throw new ArgumentException($"{nameof(options.ClassWeights)} gives no training row a weight above 0.");
        return weights;
    }
}
