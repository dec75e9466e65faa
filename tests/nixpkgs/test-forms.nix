# Forms that run tests, that build test programs, or that have no program.
{
  pkgs,
  withoutCgo,
  of,
  ...
}:
{
  check = withoutCgo // {
    doCheck = true;
    checkFlags = [ "-skip=^TestNever$" ];
  };

  checkString = withoutCgo // {
    doCheck = true;
    checkFlags = "-skip ^TestNever$";
  };

  testAttribute = of "variables" {
    env.CGO_ENABLED = 0;
    doCheck = true;
    TOOL_ATTRIBUTE = "x";
    checkFlags = [ "-run=Attribute" ];
  };

  testExport = of "variables" {
    env.CGO_ENABLED = 0;
    doCheck = true;
    preBuild = "export TOOL_EXPORTED=x";
    checkFlags = [ "-run=Exported" ];
  };

  preCheck = withoutCgo // {
    doCheck = true;
    checkFlags = [ "-skip=^TestNever$" ];
    nativeCheckInputs = [ pkgs.sqlite ];
    preCheck = "printf %s \${GOFLAGS/-trimpath/without} > flags";
    postInstall = "install -D flags $out/share/flags";
  };

  testBinaries = removeAttrs withoutCgo [ "doCheck" ] // {
    buildTestBinaries = true;
  };

  testBinariesAlone = removeAttrs (of "tests" { buildTestBinaries = true; }) [ "doCheck" ];

  noProgram = removeAttrs (of "library" { }) [ "doCheck" ];

  noProgramNoCgo = of "tests" {
    env.CGO_ENABLED = 0;
    doCheck = true;
  };
}
