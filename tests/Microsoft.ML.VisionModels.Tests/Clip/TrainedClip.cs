using Microsoft.ML.VisionModels.Tests.Clip;
using Microsoft.ML.VisionModels.Tests.Contract;

[assembly: AssemblyFixture(typeof(TrainedClip))]

namespace Microsoft.ML.VisionModels.Tests.Clip;

/// <summary>A tiny CLIP that was taught the words for the colors of toy images, in a folder as Hugging Face publishes it.</summary>
public sealed class TrainedClip : IDisposable
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();
    private readonly Lazy<TrainingHistory> _history;

    public TrainedClip() => _history = new(Train);

    /// <summary>The checkpoint, made when it is first asked for.</summary>
    public string Checkpoint
    {
        get
        {
            _ = _history.Value;
            return _folder.Path;
        }
    }

    public TrainingHistory History => _history.Value;

    /// <summary>Images with "a red square" and so on as their texts.</summary>
    internal static IDataView Pairs(MLContext context, int count) => context.Data.LoadFromEnumerable(ContractData.Rows(count).Select(row => new ContractData.Row
    {
        Image = row.Image,
        Text = $"a {row.Label} square",
        Label = row.Label,
    }).ToList());

    public void Dispose() => _folder.Dispose();

    private TrainingHistory Train()
    {
        var context = new MLContext(seed: 1);
        var options = new ClipTrainerOptions
        {
            ImageSize = ContractData.Side, PatchSize = 4, VocabularySize = 520, Epochs = 6, BatchSize = 12, Device = "cpu", ValidationFraction = 0, LearningRate = 2e-3,
        };
        using var model = context.Transforms.ClipTrainer(options).Fit(Pairs(context, 240));
        model.SaveCheckpoint(_folder.Path);
        return model.History!;
    }
}
