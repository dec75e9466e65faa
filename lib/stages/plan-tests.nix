# The derivations of a plan in a file that run tests, and those that fail if tests fail: drvgen/tests.go.
{
  plan, # see plan-file.nix
  inputs, # the inputs of tests, see planning.nix
  units, # see plan-units.nix
  goroot, # the value of GOROOT
  listed, # the sources that options list, for a name of the trees
  quoteless, # a string in JSON, without the quotes around it
  links, # the derivations that link test programs, by key
  nameOf, # import paths, by key
  placeOf, # where the archives and export data of packages are, by key: see generate.nix
}:
let
  inherit (builtins) toJSON listToAttrs concatStringsSep;
  inherit (import ../functions.nix) escape;
  inherit (units) unit derive;
  storeName = import ./store-name.nix;
  settings = builtins.fromJSON plan.settings.tests;

  out = drv: id: {
    inner = null;
    place = { inherit drv id; };
    file = {
      output = "out";
      path = "";
    };
  };
  # A reference to the program of a test.
  programOf =
    name:
    let
      key = plan.tests.${name}.program;
      program = out links.${key} key;
    in
    program // { file = program.file // { path = "bin/${plan.tests.${name}.main}"; }; };

  stepsOf =
    t:
    builtins.replaceStrings
      [
        "@MAIN@"
        "@DIR@"
      ]
      [
        (quoteless (escape t.main))
        (quoteless (if t.options.s == "." then "\${SRC}" else "\${SRC}/${escape t.options.s}"))
      ]
      plan.templates.${t.template};

  # The first run of a test, with the files that the plan lists for it. This derivation does not fail if the test does.
  run =
    name: t:
    derive {
      name = storeName "test-${name}";
      outputs = [ "out" ];
      vars = {
        GOROOT = goroot;
        CHECKENV = inputs.checkEnv;
      };
      units = [
        (unit {
          inherit name;
          steps = stepsOf t;
          refs = [ (programOf name) ];
          dirs = [ ];
          sources = listed "${name}-testdata" t.options;
          vars.RESULT = "\${out}";
          env = "CHECKENV";
        })
      ];
    };
  runs = builtins.mapAttrs run plan.tests;

  # The steps that run a stage of the planner with a configuration.
  stage = name: config: env: ''
    {"write":{"path":"''${OBJ}/config.json","text":${toJSON (toJSON config)}}},''
    + ''{"run":{"args":["''${PLANNER}/bin/dgd-plan",${toJSON name}],"env":${
      toJSON (
        [
          "configPath=\${OBJ}/config.json"
          "out=\${out}"
        ]
        ++ env
      )
    }}}'';
  # A unit without sources: see plan-units.nix. `steps` is a function of the names of its variables.
  plain =
    {
      name,
      values,
      env ? null,
      steps,
    }:
    {
      inherit values;
      text =
        variable:
        "{"
        + (if env == null then "" else ''"env":"''${${env}}",'')
        + ''"name":${toJSON name},"steps":[${concatStringsSep "," (steps variable)}]}'';
    };

  # The derivation that finds out which tests need all of src.
  needs =
    name: tests:
    let
      result = test: "test ${test}";
    in
    derive {
      inherit name;
      outputs = [ "out" ];
      vars = {
        PLANNER = inputs.planner;
        SOURCE = inputs.src;
      }
      // (if settings.modules == "" then { } else { MODULES = inputs.modules; });
      units = [
        (plain {
          inherit name;
          values = builtins.concatMap (test: [
            {
              id = (programOf test).place.id;
              value = (programOf test).place.drv.out;
            }
            {
              id = result test;
              value = runs.${test}.out;
            }
          ]) tests;
          steps = variable: [
            (stage "needs" {
              src = "\${SOURCE}";
              vendor = escape (builtins.fromJSON plan.settings.testvendor);
              form = settings.modules;
              modules = if settings.modules == "" then "" else "\${MODULES}";
              tests = map (test: {
                name = escape test;
                result = "\${${variable (result test)}}";
                program = "\${${variable (programOf test).place.id}}/${escape (programOf test).file.path}";
              }) tests;
            } [ ])
          ];
        })
      ];
    };

  # The derivation that runs those tests again with all of src, and fails if a test fails or a package without tests does
  # not compile.
  tested =
    name: tests: untested:
    let
      passed = ''{"write":{"path":"''${out}","text":${
        toJSON (concatStringsSep "" (map (test: "ok  \t${escape test}\n") tests))
      }}}'';
      of = needs "needs-of-${name}" tests;
      compiled = map (
        key:
        let
          inherit (placeOf.${key}) id drv export;
        in
        {
          id = "${id}!${export.output}";
          value = drv.${export.output};
        }
      ) untested;
      # The second step of a run.
      test = name: (builtins.elemAt (builtins.fromJSON "[${stepsOf plan.tests.${name}}]") 1).test;
    in
    derive (
      {
        inherit name;
        outputs = [ "out" ];
      }
      // (
        if tests == [ ] then
          {
            vars = { };
            units = [
              (plain {
                name = "tests";
                values = compiled;
                steps = _: [ passed ];
              })
            ];
          }
        else
          {
            vars = {
              GOROOT = goroot;
              CHECKENV = inputs.checkEnv;
              PLANNER = inputs.planner;
            };
            units = [
              (plain {
                name = "tests";
                env = "CHECKENV";
                values = [
                  {
                    id = "needs";
                    value = of.out;
                  }
                ]
                ++ compiled;
                steps = variable: [
                  (stage "retest" {
                    needs = "\${${variable "needs"}}";
                    src = "\${SRC}";
                    modules = "\${OBJ}/modules";
                    tests = listToAttrs (
                      map (name: {
                        name = escape name;
                        value = {
                          inherit (test name) dir path;
                          args = builtins.tail (test name).args;
                        };
                      }) tests
                    );
                  } (test (builtins.elemAt tests (builtins.length tests - 1))).env)
                  passed
                ];
              })
            ];
          }
      )
    );
  names = builtins.sort builtins.lessThan (builtins.attrNames plan.tests);
in
builtins.mapAttrs (name: _: tested (storeName "tests-${name}") [ name ] [ ]) plan.tests
// {
  all = tested "tests" names (builtins.sort (a: b: nameOf.${a} < nameOf.${b}) plan.untested);
}
