using System.Numerics.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;

namespace Microsoft.ML.VisionModels;

/// <summary>Tells classes of images apart: adds the classes' probabilities, the likeliest class, and on request the embedding and a map of where the answer comes from.</summary>
public abstract class ClassifierTransformer : BatchTransformer
{
    private const string LabelsEntry = "Labels.json";

    private readonly ClassifierModel _model;
    private readonly ImageProcessor _processor;
    private readonly LabelSet _labels;
    private readonly ClassifierSettings _settings;
    private readonly torch.Device _device;

    /// <summary>The model becomes the transformer's.</summary>
    private protected ClassifierTransformer(IHostEnvironment environment, string name, ClassifierParts parts) : base(environment, name)
    {
        (_model, _labels, _settings, _device, History) = (parts.Model, parts.Labels, parts.Settings, parts.Device, parts.History);
        _processor = new ImageProcessor(parts.Preprocessing);
        _model.ReadyToScore(_device, _settings.Precision);
    }

    private protected ClassifierTransformer(IHostEnvironment environment, string name, ModelArchiveReader archive, Func<string, ClassifierModel> build)
        : base(environment, name)
    {
        _settings = archive.ReadSettings<ClassifierSettings>();
        _labels = ModelJson.Read<LabelSet>(archive.ReadText(LabelsEntry));
        _processor = archive.ReadPreprocessing();
        _device = Devices.Resolve(Host);
        _model = NetworkModel.Load(archive, build, _device, _settings.Precision);
    }

    /// <summary>How training went; null for a model that was loaded, or not trained.</summary>
    public TrainingHistory? History { get; }

    /// <summary>The classes, in the order of the score's slots.</summary>
    public IReadOnlyList<string> Labels => _labels.Names;

    /// <summary>How images become the network's input.</summary>
    public ImagePreprocessing Preprocessing => _processor.Settings;

    /// <summary>The device that scores, such as "cpu" or "cuda:0".</summary>
    public string Device => _device.ToString();

    internal ClassifierModel Model => _model;

    /// <summary>The likeliest class of each image, and its score.</summary>
    /// <param name="images">At least one.</param>
    internal (string Label, float Score)[] Classify(IReadOnlyList<RgbImage> images)
    {
        ObjectDisposedException.ThrowIf(_model.IsDisposed, this);
        using var inference = torch.inference_mode();
        using var scope = torch.NewDisposeScope();
        var pixels = _processor.ProcessBatch(images.Count, i => images[i]).to(_settings.Precision == Precision.BFloat16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32, _device);
        var scores = _model.Probabilities(_model.Forward(pixels).Logits.to(torch.ScalarType.Float32)).ToRows();
        return Array.ConvertAll(scores, score => (Labels[TensorPrimitives.IndexOfMax<float>(score)], score.Max()));
    }

    internal override IBatchScorer Bind(DataViewSchema inputSchema) => new ImageClassifierScorer(inputSchema, _model, _processor, _labels, _settings, _device);

    internal override void Save(ModelArchiveWriter archive)
    {
        archive.WriteSettings(_settings);
        archive.WriteText(LabelsEntry, ModelJson.Write(_labels));
        archive.WritePreprocessing(_processor);
        _model.Save(archive);
    }

    private protected override void DisposeModel() => _model.Dispose();
}
