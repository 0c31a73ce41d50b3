using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Clip;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Text;
using TorchSharp;

namespace Microsoft.ML.VisionModels;

/// <summary>CLIP's text tower: adds a vector of length 1 for each text, which lies close to those of images that it describes.</summary>
public sealed class ClipTextEmbeddingTransformer : BatchTransformer
{
    private readonly ClipTextModel _model;
    private readonly ITextTokenizer _tokenizer;
    private readonly ClipTextSettings _settings;
    private readonly torch.Device _device;

    /// <summary>The model becomes the transformer's.</summary>
    internal ClipTextEmbeddingTransformer(IHostEnvironment environment, ClipTextModel model, ITextTokenizer tokenizer, ClipTextSettings settings, torch.Device device)
        : base(environment, nameof(ClipTextEmbeddingTransformer))
    {
        (_model, _tokenizer, _settings, _device) = (model, tokenizer, settings, device);
        _model.ReadyToScore(_device, _settings.Precision);
    }

    // Found by its signature when a model is loaded.
    internal ClipTextEmbeddingTransformer(IHostEnvironment environment, ModelArchiveReader archive)
        : base(environment, nameof(ClipTextEmbeddingTransformer))
    {
        _settings = archive.ReadSettings<ClipTextSettings>();
        _tokenizer = ITextTokenizer.Load(archive);
        _device = Devices.Resolve(Host);
        _model = NetworkModel.Load(archive, ClipTextModel.FromConfig, _device, _settings.Precision);
    }

    /// <summary>The device that scores, such as "cpu" or "cuda:0".</summary>
    public string Device => _device.ToString();

    internal override IBatchScorer Bind(DataViewSchema inputSchema) => new ClipTextScorer(inputSchema, _model, _tokenizer, _settings, _device);

    internal override void Save(ModelArchiveWriter archive)
    {
        archive.WriteSettings(_settings);
        _tokenizer.Save(archive);
        _model.Save(archive);
    }

    private protected override void DisposeModel() => _model.Dispose();
}
