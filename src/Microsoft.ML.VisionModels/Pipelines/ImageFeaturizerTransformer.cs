using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Imaging;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using TorchSharp;

namespace Microsoft.ML.VisionModels;

/// <summary>A loaded featurizer: adds what a network tells of each image, for search, clustering or another trainer.</summary>
public abstract class ImageFeaturizerTransformer : BatchTransformer
{
    private readonly FeaturizerModel _model;
    private readonly ImageProcessor _processor;
    private readonly FeaturizerSettings _settings;
    private readonly torch.Device _device;

    /// <summary>The model becomes the transformer's.</summary>
    private protected ImageFeaturizerTransformer(IHostEnvironment environment, string name, FeaturizerParts parts) : base(environment, name)
    {
        (_model, _settings, _device) = (parts.Model, parts.Settings, parts.Device);
        _processor = new ImageProcessor(parts.Preprocessing);
        _model.ReadyToScore(_device, _settings.Precision);
    }

    private protected ImageFeaturizerTransformer(IHostEnvironment environment, string name, ModelArchiveReader archive, Func<string, FeaturizerModel> build)
        : base(environment, name)
    {
        _settings = archive.ReadSettings<FeaturizerSettings>();
        _processor = archive.ReadPreprocessing();
        _device = Devices.Resolve(Host);
        _model = NetworkModel.Load(archive, build, _device, _settings.Precision);
    }

    /// <summary>How images become the network's input.</summary>
    public ImagePreprocessing Preprocessing => _processor.Settings;

    /// <summary>The device that scores, such as "cpu" or "cuda:0".</summary>
    public string Device => _device.ToString();

    internal FeaturizerModel Model => _model;

    internal override IBatchScorer Bind(DataViewSchema inputSchema) => new ImageFeaturizerScorer(inputSchema, _model, _processor, _settings, _device);

    internal override void Save(ModelArchiveWriter archive)
    {
        archive.WriteSettings(_settings);
        archive.WritePreprocessing(_processor);
        _model.Save(archive);
    }

    private protected override void DisposeModel() => _model.Dispose();
}
