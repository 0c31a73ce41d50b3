using Microsoft.ML.VisionModels.Tests.Clip;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Samples;

/// <summary>The sample over toy images, one of which has a name that would be HTML, and one of which is none.</summary>
public sealed class ImageSearchSite(TrainedClip trained) : IAsyncLifetime
{
    private readonly TestFolders.TemporaryFolder _folder = TestFolders.Temporary();

    internal ImageSearchProgram Program { get; private set; } = null!;

    internal string[] Images { get; private set; } = [];

    internal string OddName => OddNames.Image;

    internal string Odd => _folder.File(Path.Combine("images", OddName));

    internal string Broken => _folder.File(Path.Combine("images", "broken.png"));

    internal string Checkpoint => trained.Checkpoint;

    public async ValueTask InitializeAsync()
    {
        Images = ContractData.Save(_folder);
        File.Copy(Images[0], Odd);
        File.WriteAllText(Broken, "no image");
        Program = await ImageSearchProgram.Start(trained.Checkpoint, _folder.File("images"), _folder.File("index.safetensors"));
    }

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        _folder.Dispose();
    }
}
