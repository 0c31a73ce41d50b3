using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ResNet;
using Microsoft.ML.VisionModels.Tests.Contract;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests.ResNet;

/// <summary>The smallest preset is too large for a thousand predictions of 128 x 128: a tiny network without a head, written once for each image size.</summary>
internal sealed class ResNetContractSetup : IContractSetup
{
    private static readonly TestFolders.TemporaryFolder s_folder = TestFolders.Temporary();
    private static readonly Lock s_lock = new();

    static ResNetContractSetup() => AppDomain.CurrentDomain.ProcessExit += (_, _) => s_folder.Dispose();

    public Type Options => typeof(ResNetClassifierOptions);

    public void Prepare(OptionBag options, int imageSize)
    {
        var folder = s_folder.File($"resnet-{imageSize}");
        lock (s_lock)
        {
            if (!Directory.Exists(folder))
            {
                using var generator = new torch.Generator(5);
                using var network = new ResNetNetwork(ResNetConfig.Of(ResNetBlockKind.Basic, [1, 1, 1, 1], width: 8) with { ImageSize = imageSize, SmallStem = true }).Drawn(generator);
                new ResNetModel().Save(network, null, ImagePreprocessing.ExactSize(imageSize, imageSize), folder);
            }
        }
        options.For<ResNetClassifierOptions>(resNet => resNet.Checkpoint = folder);
    }
}
