using Microsoft.ML;
using Microsoft.ML.VisionModels;

namespace Samples;

/// <summary>A small CLIP that is taught handwritten digits and their names, for want of a published one.</summary>
internal static class DigitsClip
{
    public static IReadOnlyList<string> Names { get; } = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    /// <summary>Trains it on four fifths of the digits, and writes it as Hugging Face publishes CLIP.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="folder">Where images and checkpoint go.</param>
    /// <param name="device">Where it is trained: auto, cpu, cuda or cuda:N.</param>
    /// <param name="cancellation">Ends training early, with what was learned so far.</param>
    /// <returns>The folders of the checkpoint and of the images that it has not seen.</returns>
    public static (string Checkpoint, string Images) Train(MLContext mlContext, string folder, string device, CancellationToken cancellation)
    {
        var (checkpoint, unseen) = (Path.Combine(folder, "digits-clip"), Path.Combine(folder, "unseen"));
        var digits = mlContext.Data.LoadImageFolder(Digits.Unpack(Path.Combine(folder, "digits")));
        var split = mlContext.Data.TrainTestSplit(digits, testFraction: 0.2);
        foreach (var digit in Pairs(mlContext, split.TestSet))
        {
            Directory.CreateDirectory(Path.Combine(unseen, digit.Text));
            File.Copy(digit.ImagePath, Path.Combine(unseen, digit.Text, Path.GetFileName(digit.ImagePath)), overwrite: true);
        }

        var options = new ClipTrainerOptions
        {
            ImageColumnName = nameof(Pair.ImagePath),
            TextColumnName = nameof(Pair.Text),
            ImageSize = 16,
            PatchSize = 4,
            VocabularySize = 600,
            Epochs = 20,
            BatchSize = 32,
            Device = device,
            CancellationToken = cancellation,
        };
        var pairs = Pairs(mlContext, split.TrainSet);
        pairs.ForEach(pair => pair.Text = $"a photo of a {pair.Text}.");
        using var model = TrainingScreen.Show(options, () => mlContext.Transforms.ClipTrainer(options).Fit(mlContext.Data.LoadFromEnumerable(pairs)));
        model.SaveCheckpoint(checkpoint);
        return (checkpoint, unseen);
    }

    private static List<Pair> Pairs(MLContext mlContext, IDataView digits)
    {
        var pairs = mlContext.Data.CreateEnumerable<Pair>(digits, reuseRowObject: false, ignoreMissingColumns: true).ToList();
        pairs.ForEach(pair => pair.Text = Names[pair.Label[0] - '0']);
        return pairs;
    }

    private sealed class Pair
    {
        public string ImagePath { get; set; } = "";
        public string Label { get; set; } = "";
        public string Text { get; set; } = "";
    }
}
