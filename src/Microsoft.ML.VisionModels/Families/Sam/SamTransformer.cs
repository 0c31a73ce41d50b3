using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Families.Sam;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>A loaded Segment Anything Model in a pipeline.</summary>
public abstract class SamTransformer : BatchTransformer
{
    private protected SamTransformer(IHostEnvironment environment, string name, SamPredictor predictor) : base(environment, name) => Predictor = predictor;

    private protected SamTransformer(IHostEnvironment environment, string name, ModelArchiveReader archive, Precision precision) : base(environment, name)
    {
        var processor = archive.ReadPreprocessing();
        var device = Devices.Resolve(Host);
        Predictor = new(NetworkModel.Load(archive, SamModel.FromConfig, device, precision), processor, precision, device);
    }

    /// <summary>How images become the network's input.</summary>
    public ImagePreprocessing Preprocessing => Predictor.Processor.Settings;

    /// <summary>The device that scores, such as "cpu" or "cuda:0".</summary>
    public string Device => Predictor.Device.ToString();

    internal SamPredictor Predictor { get; }

    private protected void SaveNetwork(ModelArchiveWriter archive)
    {
        archive.WritePreprocessing(Predictor.Processor);
        Predictor.Model.Save(archive);
    }

    private protected override void DisposeModel() => Predictor.Dispose();
}
