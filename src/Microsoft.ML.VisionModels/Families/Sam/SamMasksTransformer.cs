using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>Adds masks of what each row's points, boxes or rough mask mean.</summary>
public sealed class SamMasksTransformer : SamTransformer
{
    private readonly SamMasksSettings _settings;

    /// <summary>The network becomes the transformer's.</summary>
    internal SamMasksTransformer(IHostEnvironment environment, SamPredictor predictor, SamMasksSettings settings)
        : base(environment, nameof(SamMasksTransformer), predictor) => _settings = settings;

    // Found by its signature when a model is loaded.
    internal SamMasksTransformer(IHostEnvironment environment, ModelArchiveReader archive) : this(environment, archive, archive.ReadSettings<SamMasksSettings>())
    {
    }

    private SamMasksTransformer(IHostEnvironment environment, ModelArchiveReader archive, SamMasksSettings settings)
        : base(environment, nameof(SamMasksTransformer), archive, settings.Precision) => _settings = settings;

    internal override IBatchScorer Bind(DataViewSchema inputSchema) => new SamMasksScorer(inputSchema, Predictor, _settings);

    internal override void Save(ModelArchiveWriter archive)
    {
        archive.WriteSettings(_settings);
        SaveNetwork(archive);
    }
}
